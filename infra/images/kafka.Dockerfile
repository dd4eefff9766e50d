# The broker with the local stack's settings; the image formats an empty directory by itself.
FROM apache/kafka:4.1.2
COPY infra/kafka/server.properties.template /tmp/server.properties.template
USER root
RUN install -d -o appuser -g appuser /mnt/shared/config /var/lib/kafka/data \
 && sed -e 's|${HOCBA_HOST}|kafka|g' -e 's|${HOCBA_BIND}|0.0.0.0|g' -e 's|${HOCBA_KAFKA_PORT}|9092|g' \
        -e 's|${HOCBA_CONTROLLER_PORT}|9093|g' -e 's|${HOCBA_DATA}|/var/lib/kafka/data|g' \
        /tmp/server.properties.template > /mnt/shared/config/server.properties
USER appuser

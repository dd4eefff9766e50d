#!/bin/bash
# Secrets arrive as files of the host's user; mongod insists on a key file of its own, closed to others.
set -euo pipefail
install -d -o mongodb -g mongodb -m 0700 /run/mongo
for name in mongo-key mongo-root; do
  install -o mongodb -g mongodb -m 0400 "/run/secrets/$name" "/run/mongo/$name"
done
export MONGO_INITDB_ROOT_USERNAME=root MONGO_INITDB_ROOT_PASSWORD_FILE=/run/mongo/mongo-root
exec docker-entrypoint.sh mongod --replSet hocba --bind_ip_all --keyFile /run/mongo/mongo-key \
  --networkMessageCompressors disabled --wiredTigerCacheSizeGB 0.5 --oplogSize 512 --setParameter transactionLifetimeLimitSeconds=30

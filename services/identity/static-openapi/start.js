// no validator: it would send the description to somebody else's server
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({ domNode: place, url: place.dataset.url, deepLinking: true, validatorUrl: null });

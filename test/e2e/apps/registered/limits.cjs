// Says which limits a server has when none is set.
const { keepAliveTimeout, headersTimeout, requestTimeout } = require("node:http").createServer();
console.log(JSON.stringify([keepAliveTimeout, headersTimeout, requestTimeout]));

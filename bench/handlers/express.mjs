// The hello as an Express application, for any server that takes handlers of Node's kind.
import express from "express";

export default express().get("/", (_request, response) => {
  response.type("text/plain").send("Hello, world");
});

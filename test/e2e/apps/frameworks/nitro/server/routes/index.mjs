import { defineEventHandler, readFormData } from "h3";

export default defineEventHandler(async (event) => {
  const name = event.method === "POST" ? (await readFormData(event)).get("name") : "you";
  return `<h1>Hello ${name}</h1>`;
});

// Run with IPC: tells the parent which internals this Node has, and the modules and files that it reports.
const { NODE_INTERNALS } = await import("../../../dist/host/nodeinternals/index.js");
const { MODULES_VARIABLE, reportFile, reportModules } = await import(
  "../../../dist/host/nodeinternals/modulereports.js"
);

await reportModules();
await import("./loaded.mjs");
reportFile("/a/template");
const internals = NODE_INTERNALS.map(({ name, lost, isThere }) => ({ name, lost, isThere: isThere() }));
const inherited = Object.keys(process.env).filter((name) => name === MODULES_VARIABLE);
process.send({ version: process.version, internals, inherited }, () => process.disconnect());

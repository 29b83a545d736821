// Loads the applications that the arguments name, asks each for "/", and prints the answers as JSON: by file, or what is
// said instead.
import { loadApplication } from "../../../../dist/host/cli/run/app.js";
import { inject } from "../../../../dist/host/index.js";

const answers = {};
for (const file of process.argv.slice(2)) {
  try {
    const { application } = await loadApplication({ file, outer: { over: {}, under: {} } });
    answers[file] = (await inject(application, "/")).text;
  } catch (error) {
    answers[file] = { message: error.message, details: error.details };
  }
}
console.log(JSON.stringify(answers));
process.exit();

/** `waterspout new`: makes a project from a template. */
import { relative } from "node:path";
import { UsageError } from "../../core/errors.js";
import type { Command, Option } from "../command.js";
import { commandHelp } from "../help.js";
import type { Project } from "./project.js";

/** The folders of templates/. */
export const TEMPLATES = ["typescript", "assemblyscript"] as const;

const usage = "NAME [options]";

const options = {
  template: {
    type: "string",
    value: "NAME",
    choices: TEMPLATES,
    help: "typescript: handlers in TypeScript; assemblyscript: all of it in the sandbox (default typescript)",
  },
  json: { type: "boolean", help: "the report as one JSON document on stdout" },
} satisfies Record<string, Option>;

const ABOUT = "Makes a project with its tests in the folder NAME, which must be new or empty.";

export const newProject: Command = {
  name: "new",
  summary: "make a project out of a template",
  usage,
  help: commandHelp({ name: "new", usage, options }, ABOUT),
  argument: { value: "NAME" },
  options,
  async run(values, [folder, ...rest]) {
    if (folder === undefined || folder === "")
      throw new UsageError("new needs a name for the project; try waterspout new --help");
    if (rest.length > 0) throw new UsageError(`new takes one name, not also ${rest.join(" ")}`);
    const { template = TEMPLATES[0] } = values as { template?: string };
    if (!TEMPLATES.some((name) => name === template)) {
      throw new UsageError(`--template must be ${TEMPLATES.join(" or ")}, not ${JSON.stringify(template)}`);
    }
    const { createProject } = await import("./project.js");
    const project = createProject(folder, template);
    process.stdout.write(values.json === true ? `${JSON.stringify(reportOf(project))}\n` : textOf(project));
    return 0;
  },
};

/** The two commands that lead to a server that runs. */
function nextCommands({ folder }: Project): [string, string] {
  const where = relative(process.cwd(), folder);
  return [where === "" ? "npm install" : `cd ${shellWord(where)} && npm install`, "npm run dev"];
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function reportOf(project: Project): object {
  return { ...project, next: nextCommands(project) };
}

function textOf(project: Project): string {
  const { folder, files, template } = project;
  const list = files.map((file) => `  ${file}\n`).join("");
  const commands = nextCommands(project).map((command) => `  ${command}\n`);
  return `${folder}, from the template ${template}:\n${list}Next:\n${commands.join("")}`;
}

// An Express application of some size, for whatever server: given to Node's own and to ours by
// test/e2e/nodehandlers.test.ts.
import path from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import express, { type NextFunction, type Request, type Response } from "express";
import session from "express-session";
import multer from "multer";

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}

const FILES = path.resolve(import.meta.dirname, "../../../docs");

const users = new Map([["1", "Ada"]]);

function usersRouter(): express.Router {
  const router = express.Router();
  router.param("id", (_req, res, next, id) => {
    res.locals.name = users.get(id);
    next(res.locals.name === undefined ? Object.assign(new Error("no such user"), { status: 404 }) : undefined);
  });
  router.get("/", (_req, res) => void res.json(Object.fromEntries(users)));
  router.get("/:id", (req, res) => void res.json({ id: req.params.id, name: res.locals.name, base: req.baseUrl }));
  router.post("/", (req, res) => void res.status(201).location("/users/2").json(req.body));
  router.delete("/:id", (_req, res) => void res.sendStatus(204));
  return router;
}

function visits(): express.RequestHandler[] {
  const sessions = session({ secret: "not one", resave: false, saveUninitialized: false, genid: () => "the-session" });
  return [
    sessions,
    (req, res) => {
      req.session.visits = (req.session.visits ?? 0) + 1;
      res.send(`visit ${req.session.visits}`);
    },
  ];
}

function streams(app: express.Express): void {
  app.get("/stream", async (_req, res) => {
    res.type("text");
    for (let i = 0; i < 3; i++) {
      res.write(`piece ${i}\n`);
      await sleep(1);
    }
    res.end();
  });
  app.get("/pipe", (_req, res) => void Readable.from(["a", "b".repeat(100_000), "c"]).pipe(res));
  app.get("/drain", async (_req, res) => {
    let waited = 0;
    for (let i = 0; i < 64; i++) {
      if (res.write(Buffer.alloc(65_536, 120))) continue;
      await new Promise((resolve) => res.once("drain", resolve));
      if (res.writableNeedDrain) throw new Error("still full after drain");
      waited++;
    }
    res.end(waited > 0 ? "waited" : "never full");
  });
  app.post("/echo", (req, res) => void req.pipe(res));
}

function plain(app: express.Express): void {
  app.get("/", (req, res) => void res.send(`hello ${req.query.name ?? "world"}`));
  app.get("/about", (req, res) => {
    const { method, url, httpVersion, complete, rawHeaders } = req;
    const names = rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text));
    const { headers, protocol, secure, hostname, xhr } = req;
    res.json({ method, url, httpVersion, complete, names, headers, protocol, secure, hostname, xhr });
  });
  app.get("/cookies", (_req, res) => void res.cookie("a", "1").cookie("b", "2", { httpOnly: true }).send("two"));
  app.get("/redirect", (_req, res) => void res.redirect("/"));
  app.get("/head", (_req, res) => {
    res.writeHead(203, "Quite Fine", { "X-One": "1", "Set-Cookie": ["a=1", "b=2"] });
    res.end(`${res.headersSent} ${res.getHeaderNames().length}`);
  });
  app.get("/fields", (_req, res) => {
    res.setHeader("X-A", "1");
    res.appendHeader("x-a", "2");
    res.setHeader("X-B", ["3", "4"]);
    res.setHeader("X-Gone", "5");
    res.removeHeader("x-gone");
    res.flushHeaders();
    res.end(JSON.stringify([res.getHeaders(), res.hasHeader("x-a"), res.headersSent, res.getHeader("x-B")]));
  });
  app.get("/throw", () => {
    throw Object.assign(new Error("a teapot"), { status: 418 });
  });
  app.get("/late", (_req, res) => {
    res.send("one");
    res.setHeader("X-Late", "1");
  });
  app.get("/empty", (_req, res) => void res.status(204).end());
}

/** The application. `log` gets what happens behind the answers. */
export function expressApp(log: string[] = []): express.Express {
  const app = express();
  app.use((req, res, next) => {
    res.on("finish", () => log.push(`finish ${req.url} ${res.writableFinished}`));
    res.on("close", () => log.push(`close ${req.url}`));
    next();
  });
  app.use(express.json({ limit: 100_000 }), express.urlencoded({ extended: true }));
  app.use("/users", usersRouter());
  app.use("/files", express.static(FILES));
  app.get("/visits", visits());
  const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 200_000 } });
  app.post("/upload", upload.array("file"), (req, res) => {
    const files = (req.files as Express.Multer.File[]).map(({ originalname, size, mimetype }) => [
      originalname,
      size,
      mimetype,
    ]);
    res.json({ body: req.body, files });
  });
  app.post("/form", (req, res) => void res.json(req.body));
  plain(app);
  streams(app);
  app.get("/hang", (req, res) => {
    req.on("aborted", () => log.push("aborted"));
    req.on("close", () => log.push(`request closed, complete ${req.complete}`));
    res.write("begun");
  });
  app.use((error: Error & { status?: number }, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).send(`failed: ${error.message}`);
  });
  return app;
}

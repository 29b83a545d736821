// An Express application that knows nothing of this project, and says where it listens.
import express from "express";

const app = express();
app.use(express.json());
app.post("/sum", (req, res) => res.json({ sum: req.body.reduce((sum, each) => sum + each, 0) }));

const server = app.listen(0);
console.log(`port ${server.address().port}`);
process.once("SIGTERM", () => server.close());

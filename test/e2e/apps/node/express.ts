// An Express application as an export.
import express from "express";

export default express().get("/:name", (req, res) => void res.send(`express ${req.method} ${req.originalUrl}`));

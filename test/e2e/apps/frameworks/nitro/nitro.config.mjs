export default { srcDir: "server", publicAssets: [{ dir: "../public" }], compatibilityDate: "2026-01-01" };

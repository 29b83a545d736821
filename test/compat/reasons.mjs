/** Why a test of others does not pass, in the words of docs/compat.md. The keys are the folders of suites.mjs. */
export const REASONS = {};

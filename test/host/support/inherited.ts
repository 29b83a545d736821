/** The names that every object has from Object.prototype: `constructor`, `__proto__`, `toString`, … */
export const INHERITED = Object.getOwnPropertyNames(Object.prototype);

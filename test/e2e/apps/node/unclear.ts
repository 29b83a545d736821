// A function that could be anything.
export default (_one: unknown, _two: unknown, _three: unknown): void => {};

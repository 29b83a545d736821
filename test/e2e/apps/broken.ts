// An application that fails while it is being loaded.
throw new Error("broken on purpose");
export default null;

// An application without a handler: what it exports by default is none.
export default { answer: 42 };

/**
 * What schemas of zod, valibot, ArkType and others have in common. Declared here, so that no package is needed for it.
 * Reference: https://standardschema.dev.
 */

/** A value that has passed. */
export interface SchemaSuccess<Output> {
  /** The value, as the schema makes it. */
  readonly value: Output;
  /** There are none. */
  readonly issues?: undefined;
}

/** A value that has not. */
export interface SchemaFailure {
  /** What is wrong, at least one thing. */
  readonly issues: readonly SchemaIssue[];
}

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong, in words. */
  readonly message: string;
  /** Where in the value: keys from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema: what it makes of a value is of the type `Output`. */
export interface StandardSchema<Output = unknown> {
  /** By this name all of them have it. */
  readonly "~standard": {
    /** Of the standard. */
    readonly version: 1;
    /** Whose schema it is. */
    readonly vendor: string;
    /** Checks a value, and may convert it. */
    readonly validate: (
      value: unknown,
    ) => SchemaSuccess<Output> | SchemaFailure | Promise<SchemaSuccess<Output> | SchemaFailure>;
    /** For the compiler alone. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/**
 * `Application` with the type that its users see: the options of each route are checked against its handler's
 * `initialize`.
 *
 * Invariant: the type has a name of its own, which the package exports; else an application that is exported could not
 * be written into a declaration file.
 */
import {
  type ApplicationSettings,
  type CheckedRoutes,
  type RouteInput,
  Application as Untyped,
} from "./application.js";

/** Routes and settings, and what a server calls with each request. `Own`: settings of the application's own. */
export interface Application<Own extends object = object> extends Untyped<Own> {}
/** Makes an application of its routes and settings. Throws OptionError for a route that cannot be one. */
export const Application: {
  /**
   * `settings` may hold some of the application's own, such as `{ database }`. Throws OptionError for a route that can
   * never work.
   */
  new <const Routes extends readonly RouteInput[] = [], Own extends object = object>(
    routes?: Routes & CheckedRoutes<Routes>,
    settings?: ApplicationSettings & Own,
  ): Application<Own>;
} = Untyped;

/** `Application` with the type that its users see: the options of each route are checked against its handler's `initialize`. */
import {
  type ApplicationSettings,
  type CheckedRoutes,
  type RouteInput,
  Application as Untyped,
} from "./application.js";

export type Application = Untyped;
export const Application: {
  /** Throws OptionError for a route that can never work. */
  new <const Routes extends readonly RouteInput[] = []>(
    routes?: Routes & CheckedRoutes<Routes>,
    settings?: ApplicationSettings,
  ): Untyped;
} = Untyped;

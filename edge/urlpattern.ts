/** `URLPattern`, of urlpattern-polyfill, which uses the platform's URL. */
import { URLPattern } from "urlpattern-polyfill/urlpattern";

Object.assign(globalThis, { URLPattern });

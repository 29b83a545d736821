import { stream } from "../../../stream.mjs";

export const GET = ({ request }) => stream(request);

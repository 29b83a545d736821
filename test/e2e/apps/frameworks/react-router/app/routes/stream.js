import { stream } from "../../stream.mjs";

export const loader = ({ request }) => stream(request);

/** `FormData`, `Blob` and `File`, and what bodies have of them. An application that names none of them goes without. */
import { Blob, File } from "./blob.js";
import { FormData } from "./formdata.js";
import { Request, Response } from "./messages.js";
import { formOf } from "./multipart.js";

async function blob(this: Request | Response): Promise<Blob> {
  return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" });
}

async function formData(this: Request | Response): Promise<FormData> {
  return formOf(await this.bytes(), this.headers.get("content-type"));
}

for (const { prototype } of [Request, Response]) Object.assign(prototype, { blob, formData });
Object.assign(globalThis, { Blob, File, FormData });

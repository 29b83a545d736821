// Answers /:status with that status, and with the page of an error.
import { Application, RequestHandler } from "waterspout";

class Status extends RequestHandler {
  override get({ status }: { status: string }): void {
    this.sendError(Number(status));
  }
}

export default new Application([["/:status", Status]]);

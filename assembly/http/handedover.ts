// Who owns the stream of an upgraded connection, in the place of the server that accepted it: so that the HTTP
// connection, whose slot is taken until then, learns of the stream's close although the stream has another handler.
// Invariant: the server hears of the close as well, once.

import { HTTP1Connection } from "./connection";
import { IOStream } from "../stream/iostream";
import { StreamOwner } from "../stream/streamhandler";


@final
export class HandedOver extends StreamOwner {
  private server: StreamOwner | null = null;

  constructor(private connection: HTTP1Connection) {
    super();
  }

  begin(stream: IOStream): void {
    this.server = stream.owner;
    stream.owner = this;
  }

  streamClosed(stream: IOStream): void {
    this.connection.released();
    if (this.server) this.server!.streamClosed(stream);
    this.server = null;
  }
}

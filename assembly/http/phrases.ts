// Reason phrases of the registered status codes (RFC 9110 15, the IANA registry).

/** The phrase as a literal for writeText. */
export function phraseOf(status: i32): usize {
  switch (status) {
    case 100:
      return changetype<usize>("Continue");
    case 101:
      return changetype<usize>("Switching Protocols");
    case 102:
      return changetype<usize>("Processing");
    case 103:
      return changetype<usize>("Early Hints");
    case 200:
      return changetype<usize>("OK");
    case 201:
      return changetype<usize>("Created");
    case 202:
      return changetype<usize>("Accepted");
    case 203:
      return changetype<usize>("Non-Authoritative Information");
    case 204:
      return changetype<usize>("No Content");
    case 205:
      return changetype<usize>("Reset Content");
    case 206:
      return changetype<usize>("Partial Content");
    case 207:
      return changetype<usize>("Multi-Status");
    case 208:
      return changetype<usize>("Already Reported");
    case 226:
      return changetype<usize>("IM Used");
    case 300:
      return changetype<usize>("Multiple Choices");
    case 301:
      return changetype<usize>("Moved Permanently");
    case 302:
      return changetype<usize>("Found");
    case 303:
      return changetype<usize>("See Other");
    case 304:
      return changetype<usize>("Not Modified");
    case 305:
      return changetype<usize>("Use Proxy");
    case 307:
      return changetype<usize>("Temporary Redirect");
    case 308:
      return changetype<usize>("Permanent Redirect");
    case 400:
      return changetype<usize>("Bad Request");
    case 401:
      return changetype<usize>("Unauthorized");
    case 402:
      return changetype<usize>("Payment Required");
    case 403:
      return changetype<usize>("Forbidden");
    case 404:
      return changetype<usize>("Not Found");
    case 405:
      return changetype<usize>("Method Not Allowed");
    case 406:
      return changetype<usize>("Not Acceptable");
    case 407:
      return changetype<usize>("Proxy Authentication Required");
    case 408:
      return changetype<usize>("Request Timeout");
    case 409:
      return changetype<usize>("Conflict");
    case 410:
      return changetype<usize>("Gone");
    case 411:
      return changetype<usize>("Length Required");
    case 412:
      return changetype<usize>("Precondition Failed");
    case 413:
      return changetype<usize>("Content Too Large");
    case 414:
      return changetype<usize>("URI Too Long");
    case 415:
      return changetype<usize>("Unsupported Media Type");
    case 416:
      return changetype<usize>("Range Not Satisfiable");
    case 417:
      return changetype<usize>("Expectation Failed");
    case 421:
      return changetype<usize>("Misdirected Request");
    case 422:
      return changetype<usize>("Unprocessable Content");
    case 423:
      return changetype<usize>("Locked");
    case 424:
      return changetype<usize>("Failed Dependency");
    case 425:
      return changetype<usize>("Too Early");
    case 426:
      return changetype<usize>("Upgrade Required");
    case 428:
      return changetype<usize>("Precondition Required");
    case 429:
      return changetype<usize>("Too Many Requests");
    case 431:
      return changetype<usize>("Request Header Fields Too Large");
    case 451:
      return changetype<usize>("Unavailable For Legal Reasons");
    case 500:
      return changetype<usize>("Internal Server Error");
    case 501:
      return changetype<usize>("Not Implemented");
    case 502:
      return changetype<usize>("Bad Gateway");
    case 503:
      return changetype<usize>("Service Unavailable");
    case 504:
      return changetype<usize>("Gateway Timeout");
    case 505:
      return changetype<usize>("HTTP Version Not Supported");
    case 506:
      return changetype<usize>("Variant Also Negotiates");
    case 507:
      return changetype<usize>("Insufficient Storage");
    case 508:
      return changetype<usize>("Loop Detected");
    case 511:
      return changetype<usize>("Network Authentication Required");
    default:
      return changetype<usize>("Unknown");
  }
}

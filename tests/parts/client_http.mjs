// An official TypeScript client over Streamable HTTP.
//
//   client_http.mjs sdk|client URL [--call TOOL JSON]...
//
// Settings: HEADER (`Name: value`, sent with every request). Prints one line of JSON; ends with 0 when all went well.

import { parse, run } from './client.mjs';

const what = parse(process.argv.slice(2));
const headers = {};
if (process.env.HEADER) {
  const [name, ...value] = process.env.HEADER.split(':');
  headers[name] = value.join(':').trim();
}
await run(what, (kit) => new kit.StreamableHTTPClientTransport(new URL(what.words[0]), { requestInit: { headers } }));

// The official TypeScript client over the transport of 2024-11-05.
//
//   client_sse.mjs sdk URL [--call TOOL JSON]...
//
// Settings: HEADER (`Name: value`, sent with every request). Prints one line of JSON; ends with 0 when all went well.

import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { parse, run } from './client.mjs';

const what = parse(process.argv.slice(2));
const headers = {};
if (process.env.HEADER) {
  const [name, ...value] = process.env.HEADER.split(':');
  headers[name] = value.join(':').trim();
}
const withHeaders = (url, init) => {
  const all = new Headers(init?.headers);
  Object.entries(headers).forEach(([name, value]) => all.set(name, value));
  return fetch(url, { ...init, headers: all });
};
const settings = { requestInit: { headers }, eventSourceInit: { fetch: withHeaders } };
await run(what, () => new SSEClientTransport(new URL(what.words[0]), settings));

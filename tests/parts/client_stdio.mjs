// An official TypeScript client that starts its server, as desktop apps do.
//
//   client_stdio.mjs sdk|client [--call TOOL JSON]... -- COMMAND [ARGUMENT...]
//
// The command inherits what the library hands down, and `KEYBEARER_HOME`. Prints one line of JSON; ends with 0 when all
// went well.

import { parse, run } from './client.mjs';

const what = parse(process.argv.slice(2));
const [command, ...args] = what.command;
const { KEYBEARER_HOME } = process.env;
const env = KEYBEARER_HOME ? { KEYBEARER_HOME } : {};
await run(what, (kit) => {
  const inherited = kit.getDefaultEnvironment();
  return new kit.StdioClientTransport({ command, args, env: { ...inherited, ...env }, stderr: 'inherit' });
});

// What each scenario of the suite wants of a client. `capabilities` are what the client says it can do, `prepare` runs
// before it connects, `run` afterwards; `server` is what Keybearer's settings say of the server, where that is not the
// least. `isRefused`: it must not come to its end. `isRegistered`: IT registered a client for it.

const looks = async (client) => (await client.listTools()).tools;

async function callsAll(client, argumentsFor = () => ({})) {
  for (const tool of await looks(client)) await client.callTool({ name: tool.name, arguments: argumentsFor(tool) });
}

/** Goes on after a refusal: some scenarios offer what a client must refuse to use. */
async function tries(client, call) {
  try {
    await client.callTool(call);
  } catch (error) {
    process.stderr.write(`\`${call.name}\` was refused: ${error.message}\n`);
  }
}

function accepts(content) {
  return (client) => client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content }));
}

/** The tool that stands for a server's own at the stdio door until somebody has signed in. */
const SIGN_IN = 'sign_in';

/** Uses a server as a client does that knows nothing of sign-ins. */
async function uses(client) {
  let tools = await looks(client);
  if (tools.some(({ name }) => name === SIGN_IN)) {
    await client.callTool({ name: SIGN_IN, arguments: {} });
    tools = await looks(client);
  }
  for (const { name } of tools) {
    const { isError, content } = await client.callTool({ name, arguments: {} });
    if (isError || name === SIGN_IN) throw new Error(`\`${name}\`: ${JSON.stringify(content)}`);
  }
}

const signsIn = { server: '', run: uses };
const mustNotSignIn = { ...signsIn, isRefused: true };

/** Scenarios of sign-ins: what counts is what the suite's issuer and server have seen. */
const signIns = {
  'auth/metadata-default': signsIn,
  'auth/metadata-var1': signsIn,
  'auth/metadata-var2': signsIn,
  'auth/metadata-var3': signsIn,
  'auth/basic-cimd': signsIn,
  'auth/scope-from-www-authenticate': signsIn,
  'auth/scope-from-scopes-supported': signsIn,
  'auth/scope-omitted-when-undefined': signsIn,
  'auth/scope-step-up': signsIn,
  'auth/scope-retry-limit': mustNotSignIn,
  'auth/token-endpoint-auth-basic': signsIn,
  'auth/token-endpoint-auth-post': signsIn,
  'auth/token-endpoint-auth-none': signsIn,
  'auth/pre-registration': { ...signsIn, isRegistered: true },
  'auth/resource-mismatch': mustNotSignIn,
  'auth/offline-access-scope': signsIn,
  'auth/offline-access-not-supported': signsIn,
  'auth/authorization-server-migration': signsIn,
  'auth/iss-supported': signsIn,
  'auth/iss-not-advertised': signsIn,
  'auth/iss-supported-missing': mustNotSignIn,
  'auth/iss-wrong-issuer': mustNotSignIn,
  'auth/iss-unexpected': mustNotSignIn,
  'auth/iss-normalized': mustNotSignIn,
  'auth/metadata-issuer-mismatch': mustNotSignIn,
  'auth/2025-03-26-oauth-metadata-backcompat': signsIn,
  'auth/2025-03-26-oauth-endpoint-fallback': signsIn,
};

export const scenarios = {
  ...signIns,
  initialize: { run: looks },
  tools_call: { run: (client) => callsAll(client, () => ({ a: 5, b: 3 })) },
  'elicitation-sep1034-client-defaults': {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    prepare: accepts({}),
    run: (client) => callsAll(client),
  },
  'sse-retry': { run: (client) => callsAll(client) },
  'json-schema-ref-no-deref': { run: looks },
  'json-schema-2020-12-preservation': {
    run: async (client) => {
      const focal = (await looks(client)).find((tool) => tool.name === 'json_schema_2020_12_tool');
      await client.callTool({ name: 'json_schema_echo', arguments: { schema: focal.inputSchema } });
    },
  },
  'request-metadata': {
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} },
    run: async () => {},
  },
  'http-standard-headers': {
    run: async (client) => {
      await callsAll(client);
      for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
      for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name, arguments: {} });
    },
  },
  'http-custom-headers': {
    run: async (client, { toolCalls }) => {
      await looks(client);
      for (const call of toolCalls) await client.callTool(call);
    },
  },
  'http-invalid-tool-headers': {
    run: async (client) => {
      for (const { name } of await looks(client)) await tries(client, { name, arguments: { region: 'us-west1' } });
    },
  },
  'sep-2322-client-request-state': {
    capabilities: { elicitation: {} },
    prepare: accepts({ confirmed: true }),
    run: async (client) => {
      for (const { name } of await looks(client)) await tries(client, { name, arguments: {} });
    },
  },
};

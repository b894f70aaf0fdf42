// What each scenario of the suite wants of a client. `capabilities` are what the client says it can do, `prepare` runs
// before it connects, `run` afterwards; `server` is what Keybearer's settings say of the server, where that is not the
// least.

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

export const scenarios = {
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

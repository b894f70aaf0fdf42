// The tools of the conformance server that answer in one round. Names, texts and schemas are the suite's.

import { fromJsonSchema } from '@modelcontextprotocol/server';
import { setTimeout as pause } from 'node:timers/promises';
import { CHOICES, DEFAULTS, SCHEMA_2020_12 } from './schemas.mjs';
import { IMAGE, SOUND } from './media.mjs';

const NOTHING = { type: 'object', properties: {} };
const STEP_MS = 50;
const AWAY_MS = 100;

export const text = (words) => ({ content: [{ type: 'text', text: words }] });

/** Adds a tool whose schema is written out, so that every keyword of it arrives. */
export function addTool(server, name, schema, run) {
  const inputSchema = fromJsonSchema(schema ?? NOTHING);
  server.registerTool(name, { description: `The suite's \`${name}\``, inputSchema }, run);
}

/** `closeStream` ends a call's stream early, `changed` tells listeners that a list has changed. */
export function addTools(server, { closeStream, changed }) {
  addAnswers(server);
  addReports(server);
  addQuestions(server);
  addTool(server, 'test_reconnection', undefined, async (_, { sessionId, mcpReq }) => {
    closeStream(sessionId, mcpReq.id);
    await pause(AWAY_MS);
    return text('The client came back for its result.');
  });
  addTool(server, 'test_trigger_tool_change', undefined, () => (changed.toolsChanged(), text('told')));
  addTool(server, 'test_trigger_prompt_change', undefined, () => (changed.promptsChanged(), text('told')));
}

function addAnswers(server) {
  const image = { type: 'image', data: IMAGE, mimeType: 'image/png' };
  const resource = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } });
  addTool(server, 'test_simple_text', undefined, () => text('This is a simple text response for testing.'));
  addTool(server, 'test_image_content', undefined, () => ({ content: [image] }));
  addTool(server, 'test_audio_content', undefined, () => ({
    content: [{ type: 'audio', data: SOUND, mimeType: 'audio/wav' }],
  }));
  addTool(server, 'test_embedded_resource', undefined, () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  addTool(server, 'test_multiple_content_types', undefined, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
  addTool(server, 'test_error_handling', undefined, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  addTool(server, 'json_schema_2020_12_tool', SCHEMA_2020_12, (given) => text(JSON.stringify(given)));
  const mirrored = {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
  };
  addTool(server, 'test_x_mcp_header', mirrored, ({ region }) => text(`region=${region ?? '<none>'}`));
}

function addReports(server) {
  addTool(server, 'test_tool_with_logging', undefined, async (_, { mcpReq }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
      await pause(STEP_MS);
    }
    return text('Tool with logging executed successfully');
  });
  addTool(server, 'test_tool_with_progress', undefined, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `${progress} of 100` };
      await mcpReq.notify({ method: 'notifications/progress', params });
      await pause(STEP_MS);
    }
    return text(String(progressToken ?? 'no token'));
  });
  addTool(server, 'test_logging_tool', undefined, async (_, { mcpReq }) => {
    await mcpReq.log('info', 'told only to who asked for a level');
    return text('logged');
  });
  addTool(server, 'test_streaming_elicitation', undefined, () => text('no requests of mine on this stream'));
}

function addQuestions(server) {
  const asking = { type: 'object', properties: { prompt: { type: 'string' }, message: { type: 'string' } } };
  addTool(server, 'test_sampling', asking, async ({ prompt }, { mcpReq }) => {
    const messages = [{ role: 'user', content: { type: 'text', text: prompt } }];
    const result = await mcpReq.send({ method: 'sampling/createMessage', params: { messages, maxTokens: 100 } });
    return text(`LLM response: ${result.content?.text}`);
  });
  const form = (properties, required = []) => ({ type: 'object', properties, required });
  const response = form({ response: { type: 'string', description: "User's response" } }, ['response']);
  const elicit = (name, told, schema, ask) =>
    addTool(server, name, asking, async ({ message }, { mcpReq }) => {
      const params = { message: message ?? ask, requestedSchema: schema };
      const { action, content } = await mcpReq.send({ method: 'elicitation/create', params });
      return text(`${told}: action=${action}, content=${JSON.stringify(content ?? {})}`);
    });
  elicit('test_elicitation', 'User response', response, 'What do you say?');
  elicit('test_elicitation_sep1034_defaults', 'Elicitation completed', form(DEFAULTS), 'Please look at the defaults');
  elicit('test_elicitation_sep1330_enums', 'Elicitation completed', form(CHOICES), 'Please choose');
}

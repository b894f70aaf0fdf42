// A language model of few words, for an assistant that needs one: it asks for one tool, once, and then says what the tool
// answered. What an assistant tells its model is what leaves the machine, so it remembers all of it.
//
// Settings: PORT (0), TOOL (the end of the tool's name), INPUT (its arguments, JSON). GET /__seen has what it was told.

import { answer, listen, ready, required, serverToBe } from './part.mjs';

const toolName = required('TOOL');
const input = required('INPUT');
const seen = [];
const server = serverToBe();
const origin = await listen(server);

server.handler = async (request, response) => {
  if (request.url === '/__seen') return answer(response, 200, seen);
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const text = Buffer.concat(pieces).toString('utf8');
  seen.push({ url: request.url, headers: request.rawHeaders.join('\n'), text });
  if (!request.url.startsWith('/v1/messages')) return answer(response, 404, {});
  const told = JSON.parse(text);
  const content = say(told);
  return told.stream ? stream(response, content) : answer(response, 200, message(content));
};
ready('model', { port: server.address().port, url: origin });

/** The tool, then what it answered, and a word where there is no such tool. */
function say({ tools = [], messages }) {
  const result = messages.flatMap(({ content }) => content).find(({ type }) => type === 'tool_result');
  if (result) return { type: 'text', text: `It said: ${[result.content].flat().map((part) => part.text ?? part).join(' ')}` };
  const tool = tools.find(({ name }) => name.endsWith(toolName));
  return tool ? { type: 'tool_use', id: 'toolu_1', name: tool.name, input: JSON.parse(input) } : { type: 'text', text: 'Yes.' };
}

function message(content) {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const stop_reason = content.type === 'tool_use' ? 'tool_use' : 'end_turn';
  return { id: 'msg_1', type: 'message', role: 'assistant', model: 'few-words', content: [content], stop_reason, stop_sequence: null, usage };
}

function stream(response, content) {
  const { stop_reason, usage, ...rest } = message(content);
  const [begun, delta] =
    content.type === 'tool_use'
      ? [{ ...content, input: {} }, { type: 'input_json_delta', partial_json: input }]
      : [{ type: 'text', text: '' }, { type: 'text_delta', text: content.text }];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of [
    { type: 'message_start', message: { ...rest, content: [], stop_reason: null, usage } },
    { type: 'content_block_start', index: 0, content_block: begun },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ]) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

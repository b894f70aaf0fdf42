// The tools and the prompt of the conformance server that need more than one round (2026-07-28): the answer says what
// is missing, and the client asks again with it.

import { acceptedContent, CLIENT_CAPABILITIES_META_KEY, inputRequired, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { addTool, text } from './tools.mjs';

const form = (name, type) => ({ type: 'object', properties: { [name]: { type } }, required: [name] });
const field = (message, name, type = 'string') => inputRequired.elicit({ message, requestedSchema: form(name, type) });
const say = (words) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: words } }], maxTokens: 50 });
const userName = () => field('What is your name?', 'name');
const confirm = () => field('Please confirm', 'ok', 'boolean');

/** `state` seals what a client carries from one round to the next. */
export function addRounds(server, state) {
  const rounds = (name, run) => addTool(server, `test_input_required_result_${name}`, undefined, (_, ctx) => run(ctx.mcpReq));
  const sealed = (what) => state.mint({ ...what, nonce: randomUUID() });

  rounds('elicitation', ({ inputResponses }) => {
    const name = acceptedContent(inputResponses, 'user_name')?.name;
    if (typeof name !== 'string') return inputRequired({ inputRequests: { user_name: userName() } });
    return text(`Hello, ${name}!`);
  });
  rounds('sampling', ({ inputResponses }) => {
    const told = inputResponses?.capital_question;
    if (!told) return inputRequired({ inputRequests: { capital_question: say('What is the capital of France?') } });
    return text(`Sampling response: ${told.content?.text}`);
  });
  rounds('list_roots', ({ inputResponses }) => {
    const roots = inputResponses?.client_roots?.roots;
    if (!Array.isArray(roots)) return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    return text(`Client exposed ${roots.length} root(s): ${roots.map((root) => root.uri).join(', ')}`);
  });
  rounds('request_state', async ({ inputResponses, requestState }) => {
    if (!acceptedContent(inputResponses, 'confirm')) {
      return inputRequired({ inputRequests: { confirm: confirm() }, requestState: await sealed({ tool: 'state' }) });
    }
    if (!requestState()) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'the request state is missing');
    return text('state-ok');
  });
  rounds('tampered_state', async ({ inputResponses, requestState }) => {
    if (requestState() && acceptedContent(inputResponses, 'confirm')) return text('integrity-ok');
    return inputRequired({ inputRequests: { confirm: confirm() }, requestState: await sealed({ tool: 'tampered' }) });
  });
  rounds('multiple_inputs', async ({ inputResponses }) => {
    const name = acceptedContent(inputResponses, 'user_name')?.name;
    const greeting = inputResponses?.greeting?.content?.text;
    const roots = inputResponses?.client_roots?.roots;
    if (name && greeting && roots) return text(`${greeting} ${name}, ${roots.length} root(s)`);
    const inputRequests = { user_name: userName(), greeting: say('Greet me'), client_roots: inputRequired.listRoots() };
    return inputRequired({ inputRequests, requestState: await sealed({ tool: 'many' }) });
  });
  rounds('multi_round', async ({ inputResponses, requestState }) => {
    const { round = 0, name } = requestState() ?? {};
    if (round === 0) {
      const step1 = field('Step 1: What is your name?', 'name');
      return inputRequired({ inputRequests: { step1 }, requestState: await sealed({ round: 1 }) });
    }
    if (round === 1) {
      const step2 = field('Step 2: What is your favorite color?', 'color');
      const given = acceptedContent(inputResponses, 'step1')?.name;
      return inputRequired({ inputRequests: { step2 }, requestState: await sealed({ round: 2, name: given }) });
    }
    return text(`${name} likes ${acceptedContent(inputResponses, 'step2')?.color}`);
  });
  rounds('capabilities', ({ inputResponses, envelope }) => {
    if (inputResponses) return text('All that was asked for is there');
    const can = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
    const inputRequests = {
      ...(can.elicitation && { user_name: userName() }),
      ...(can.sampling && { greeting: say('Greet me') }),
      ...(can.roots && { client_roots: inputRequired.listRoots() }),
    };
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : text('Nothing can be asked');
  });
  addTool(server, 'test_missing_capability', undefined, (_, { mcpReq }) => {
    if (mcpReq.inputResponses?.llm_answer) return text('answered');
    return inputRequired({ inputRequests: { llm_answer: say('Reply with the single word: pong') } });
  });
  server.registerPrompt('test_input_required_result_prompt', { description: 'asks before it answers' }, ({ mcpReq }) => {
    const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
    if (context) return { messages: [{ role: 'user', content: { type: 'text', text: `Use this: ${context}` } }] };
    return inputRequired({ inputRequests: { user_context: field('What context should the prompt use?', 'context') } });
  });
}

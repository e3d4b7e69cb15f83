// Two strangers meet, say hello and part. Run it against a service: node main.js [url]
import { createChat } from '@passerby/sdk';

const url = process.argv[2] ?? 'http://localhost:3000';
const patienceMs = 15_000;

/** Creates a visitor whose events can be awaited. */
function visitor(name) {
  const chat = createChat({ url, site: 'pk_test_demo', origin: 'http://localhost' });
  const next = (event) =>
    new Promise((resolve) => {
      const off = chat.on(event, (detail) => {
        off();
        resolve(detail);
      });
    });
  return { name, chat, next };
}

function show({ name, chat }) {
  const { state } = chat.snapshot();
  console.log(`\n${name} sees (${state.status}):`);
  for (const message of state.messages) {
    const status = message.from === 'me' ? ` (${message.status})` : '';
    console.log(`  ${message.from === 'me' ? 'me' : 'stranger'}: ${message.text}${status}`);
  }
}

async function meet(ada, ben) {
  const started = Promise.all([ada.next('started'), ben.next('started')]);
  await Promise.all([ada.chat.find({ interests: ['trains'] }), ben.chat.find({ interests: ['trains', 'tea'] })]);
  const [{ shared }] = await started;
  console.log(`Ada and Ben met. They share: ${shared.interests.join(', ')}`);

  const question = ben.next('message');
  const isDelivered = ada.next('delivered');
  ada.chat.send('Hello, whoever you are.');
  await question;
  const answer = ada.next('message');
  ben.chat.send('Hello! I am glad you asked.');
  await Promise.all([answer, isDelivered]);
  show(ada);

  const ended = ben.next('ended');
  await ada.chat.leave();
  const { reason } = await ended;
  show(ben);
  console.log(`\nAda left, Ben was told: ${reason}`);
}

const ada = visitor('Ada');
const ben = visitor('Ben');

let timer;
const tooLong = new Promise((_, reject) => {
  timer = setTimeout(() => reject(new Error(`not done after ${patienceMs} ms. Is ${url} up?`)), patienceMs);
});

try {
  await Promise.race([meet(ada, ben), tooLong]);
} catch (error) {
  console.error(`Two strangers did not meet: ${error.message}`);
  process.exitCode = 1;
} finally {
  clearTimeout(timer);
  await Promise.all([ada.chat.close(), ben.chat.close()]);
}

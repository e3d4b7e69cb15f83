import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readAsked, USAGE, type Asked } from './asked.ts';
import { answer } from './command.ts';

const DEFAULT_OUT = path.resolve(import.meta.dirname, '../../docs/match-lab');

async function main(asked: Asked): Promise<void> {
  const { text, files } = await answer(asked);
  console.log(text);
  if (asked.out === null) return;
  mkdirSync(asked.out, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(asked.out, name), content);
  console.log(`\nIn ${path.relative(process.cwd(), asked.out)}: ${Object.keys(files).join(', ')}`);
}

function asked(): Asked | null {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return null;
  }
  try {
    return readAsked(process.argv.slice(2), DEFAULT_OUT);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 1;
    return null;
  }
}

const request = asked();
if (request !== null) await main(request);

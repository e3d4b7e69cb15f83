/** Idle process that measures the lag of the machine, and reports it on any message. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
process.on('message', () => {
  process.send!(loop.max / 1e6);
  loop.reset();
});
process.on('disconnect', () => process.exit());

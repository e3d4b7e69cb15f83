import type { FaultScenario } from './scenario.ts';
import { cutAtEveryMessage } from './scenarios/cut-at-every-message.ts';
import { nodeKilled } from './scenarios/node-killed.ts';
import { rollingDeploy } from './scenarios/rolling-deploy.ts';
import { visitorGoneWithNode } from './scenarios/visitor-gone-with-node.ts';

/** Everything that goes wrong on purpose while visitors talk. */
export const SCENARIOS: readonly FaultScenario[] = [cutAtEveryMessage, nodeKilled, visitorGoneWithNode, rollingDeploy];

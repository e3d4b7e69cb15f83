import type { FaultScenario } from './scenario.ts';
import { allCutAtOnce } from './scenarios/all-cut-at-once.ts';
import { cutAtEveryMessage } from './scenarios/cut-at-every-message.ts';
import { cutWhileComingBack } from './scenarios/cut-while-coming-back.ts';
import { cutWhileRedisIsAway } from './scenarios/cut-while-redis-is-away.ts';
import { nodeKilled } from './scenarios/node-killed.ts';
import { redisFails } from './scenarios/redis-fails.ts';
import { rollingDeploy } from './scenarios/rolling-deploy.ts';
import { redisFlushed, redisRestarted } from './scenarios/state-lost.ts';
import { storm } from './scenarios/storm.ts';
import { visitorCutAndGone, visitorGoneWithNode, visitorSkips } from './scenarios/visitor-gone.ts';

/** All fault scenarios. */
export const SCENARIOS: readonly FaultScenario[] = [
  cutAtEveryMessage,
  cutWhileComingBack,
  cutWhileRedisIsAway,
  nodeKilled,
  visitorSkips,
  visitorCutAndGone,
  visitorGoneWithNode,
  rollingDeploy,
  redisFails,
  redisRestarted,
  redisFlushed,
  allCutAtOnce,
  storm,
];

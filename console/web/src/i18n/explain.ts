import { language } from '../base/preferences';
import { texts, wordIn } from './texts';

export const explain = texts({
  made: ['The batch was created', '批次创建'], omitted: ['one earlier step is in the history|{n} earlier steps are in the history', '更早的 {n} 步见历史'], command: ['Command', '命令'], build: ['Software', '软件版本'], correlation: ['Correlation', '关联号'], cause: ['Because of', '起因'],
  attempt: ['Attempt {n}', '第 {n} 次尝试'], queue: ['waited', '排队'], fetch: ['fetched', '获取'], validate: ['validated', '校验'], store: ['stored', '存储'], received: ['received', '收到'], kept: ['stored', '存入'], answers: ['Answers to requests that failed', '失败请求的应答'],
  source: ['Source', '来源'], target: ['Target', '目标'], nextAttempt: ['Next attempt', '下次尝试'], unrecorded: ['Not recorded', '未记录'], events: ['Events', '事件'], operation: ['Operation', '批量操作'], sourceSettings: ['source’s settings, version {n}', '数据源设置版本 {n}'], nothing: ['No step yet', '还没有步骤'],
  intro: ['Each step: who asked, why, what came of it, and what source and target answered.', '每一步：由谁、因何、结果如何，以及来源与目标的应答。'],
});

export const attemptWord = wordIn({ migrated: ['Migrated', '已迁移'], judged: ['Judged', '已校验'], 'tried-again': ['To be tried again', '将再次尝试'], failed: ['Failed', '失败'] });

// What the API says that no event has, by how its sentences begin.
const unrecordedZh = [
  ['the request and the source', '列出该单据的请求与来源跟踪号：见该分段的事件'], ['which process', '由哪个进程处理'], ['the trace ids', '正常应答的请求的跟踪号'],
] as const;

export const unrecordedWord = (text: string): string => (language.value === 'zh' ? unrecordedZh.find(([begins]) => text.startsWith(begins))?.[1] : undefined) ?? text;

export const rehearsal = texts({
  migrates: ['It would be migrated', '可迁移'], fails: ['It would fail', '将失败'], unfinished: ['Time ran out before all files were looked at', '时间用尽，未查看全部文件'], changed: ['The source lists it otherwise than before', '来源清单有变化'],
  bytes: ['The source sent', '来源发送'], fetch: ['Fetching took', '获取耗时'], validate: ['Validating took', '校验耗时'], build: ['Software', '软件版本'],
});

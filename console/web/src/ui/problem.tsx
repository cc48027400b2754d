// What went wrong, in words that help: title, detail, what to do, and the
// number under which the log has more.
import { Problem } from '../api/http';
import { common } from '../i18n/common';
import { language } from '../base/preferences';
import { Icon } from './icons';

function titleOf(problem: Problem): string {
  if (problem.code === 'unreachable') return common.unreachable();
  const byStatus = { 401: common.s401, 403: common.s403, 404: common.s404, 409: common.s409, 412: common.s412, 413: common.s413, 422: common.s422, 429: common.s429, 503: common.s503, 500: common.s500 }[problem.status];
  const title = problem.answer.title;
  if (language.value === 'en' && title) return title;
  return byStatus?.() ?? (title || common.problem());
}

export function ProblemBox({ problem, again }: { problem: Problem | Error; again?: () => void }) {
  const known = problem instanceof Problem ? problem : new Problem({ type: '', code: '', status: 0, title: '', detail: problem.message, requestId: '' });
  const { answer } = known;
  const detail = known.code === 'unreachable' ? common.unreachableDetail() : answer.detail;
  return (
    <div class="problem" role="alert">
      <Icon name="warning" size={20} />
      <div class="grow">
        <strong>{titleOf(known)}</strong>
        {detail && <p>{detail}</p>}
        {answer.errors && answer.errors.length > 0 && (
          <ul>{answer.errors.map((e) => <li><code>{e.field}</code> {e.message}</li>)}</ul>
        )}
        <p class="faint small wrap">
          {answer.type && answer.type.startsWith('/') && <a href={answer.type} target="_blank">{common.whatToDo()}</a>}
          {answer.requestId && <span>{common.requestId()} <code>{answer.requestId}</code></span>}
        </p>
      </div>
      {again && <button type="button" onClick={again}><Icon name="retry" size={14} />{common.again()}</button>}
    </div>
  );
}

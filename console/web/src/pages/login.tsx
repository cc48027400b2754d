import { useState } from 'preact/hooks';
import { Problem } from '../api/http';
import { sessionProblem, signIn } from '../base/session';
import { shell } from '../i18n/common';
import { Preferences } from '../ui/preferences';
import { ProblemBox } from '../ui/problem';

export function Login() {
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [visible, setVisible] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = String(new FormData(event.target as HTMLFormElement).get('token') ?? '').trim();
    setBusy(true);
    setProblem(undefined);
    await signIn(token).catch(setProblem);
    setBusy(false);
  };
  return (
    <main class="alone">
      <form class="login" onSubmit={submit}>
        <h1><img src="/icon.svg" alt="" width="36" height="36" />Waybill</h1>
        <p class="faint">{shell.signInHelp()}</p>
        <label for="token">{shell.token()}</label>
        <div class="joined">
          <input id="token" name="token" type={(visible ? 'text' : 'password') as 'text'} required autofocus autocomplete="current-password" spellcheck={false} aria-describedby="token-help" />
          <button type="button" aria-pressed={visible} onClick={() => setVisible(!visible)}>{visible ? shell.hide() : shell.show()}</button>
        </div>
        <small id="token-help" class="faint">{shell.tokenHelp()}</small>
        {problem && (problem.status === 401 ? <p class="wrong" role="alert">{shell.tokenWrong()}</p> : <ProblemBox problem={problem} />)}
        {!problem && sessionProblem.value && <ProblemBox problem={sessionProblem.value} />}
        <button type="submit" class="primary" disabled={busy}>{shell.signIn()}</button>
        <footer><Preferences /></footer>
      </form>
    </main>
  );
}

// Tokens that open the API. A secret is shown once, when it is issued.
import { useState } from 'preact/hooks';
import { post, Problem, send } from '../api/http';
import type { PageOf, Token, TokenIssued } from '../api/types';
import { segment } from '../base/place';
import { useResource } from '../base/resource';
import { identity, may } from '../base/session';
import { roleHelp, tokens as words } from '../i18n/tokens';
import { common } from '../i18n/common';
import { spoken } from '../i18n/texts';
import { roleWord } from '../i18n/words';
import { ask } from '../ui/dialog';
import { Check, Copy, Field, Input, listOf } from '../ui/fields';
import { Icon } from '../ui/icons';
import { Page, Panel } from '../ui/parts';
import { Status } from '../ui/status';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { toast } from '../ui/toast';

export default function TokensPage() {
  const tokens = useResource<PageOf<Token>>('/v1/tokens', { after: false });
  const [issued, setIssued] = useState<TokenIssued>();
  const create = may('tokens:write') && <button type="button" class="primary" onClick={() => issue(setIssued)}><Icon name="plus" size={14} />{words.issue()}</button>;
  return (
    <Page title={words.title()} actions={create}>
      {issued && <Secret of={issued} kept={() => setIssued(undefined)} />}
      <Table label={words.title()} columns={columns()} of={tokens} id={(t) => t.id} empty={<Empty title={words.empty()}>{create}</Empty>} />
    </Page>
  );
}

// Secret stays on the page until somebody says that it is kept: a dialog is
// closed too easily.
function Secret({ of: t, kept }: { of: TokenIssued; kept: () => void }) {
  return (
    <Panel title={words.secretOf({ what: t.subject })}>
      <div class="secret" role="alert">
        <p>{words.once({ what: t.subject })}</p>
        <Field label={words.secret()} required>
          {(id) => <span class="joined"><input id={id} readOnly value={t.secret} onFocus={(e) => e.currentTarget.select()} /><Copy text={t.secret} /></span>}
        </Field>
        <div class="buttons"><button type="button" onClick={kept}>{words.kept()}</button></div>
      </div>
    </Panel>
  );
}

const roles = ['reader', 'operator', 'auditor', 'admin'];

const endOf = (day: string | undefined) => day && new Date(`${day}T23:59:59`).toISOString();

function issue(done: (token: TokenIssued) => void) {
  ask({
    title: words.issue(), say: words.say(), action: words.issue(),
    fields: (
      <>
        <Input label={words.subject()} name="subject" required maxLength={100} help={words.subjectHelp()} />
        <fieldset class="checks">
          <legend>{words.roles()}</legend>
          {roles.map((r) => <Check key={r} name={`role:${r}`} label={`${roleWord(r)} – ${spoken(roleHelp[r])}`} />)}
        </fieldset>
        <Input label={words.organizations()} name="organizations" help={words.organizationsHelp()} />
        <Input label={words.expires()} name="expires" type="date" help={words.expiresHelp()} />
      </>
    ),
    run: async (values, key) => {
      const chosen = roles.filter((r) => values[`role:${r}`] === 'on');
      if (chosen.length === 0) throw new Problem({ type: '', code: 'roles-missing', status: 422, title: '', detail: words.noRole(), requestId: '' });
      const organizations = listOf(values.organizations);
      done(await post<TokenIssued>('/v1/tokens', { subject: values.subject, roles: chosen, organizations: organizations.length > 0 ? organizations : undefined, expiresAt: endOf(values.expires) }, { key }));
    },
  });
}

function revoke(t: Token) {
  ask({
    title: words.revoke(), action: words.revoke(), danger: true,
    say: <>{words.revokeSay({ id: t.id, what: t.subject })} {t.subject === identity.value?.subject && <b>{words.own()}</b>}</>,
    run: async (_, key) => {
      await send('DELETE', `/v1/tokens/${segment(t.id)}`, undefined, { key });
      toast(words.didRevoke());
    },
  });
}

const isOver = (t: Token) => t.expiresAt !== undefined && t.expiresAt !== null && new Date(t.expiresAt) < new Date();

function State({ of: t }: { of: Token }) {
  if (t.revokedAt) return <Status of="withdrawn" word={words.revoked()} />;
  return isOver(t) ? <Status of="expired" word={words.expired()} /> : <Status of="ok" word={words.valid()} />;
}

const columns = (): Column<Token>[] => [
  { key: 'subject', head: words.subject(), sort: (t) => t.subject, cell: (t) => <b>{t.subject}</b> },
  { key: 'status', head: words.status(), sort: (t) => (t.revokedAt ? 2 : isOver(t) ? 1 : 0), cell: (t) => <State of={t} /> },
  { key: 'roles', head: words.roles(), cell: (t) => t.roles.map(roleWord).join(', ') },
  { key: 'organizations', head: words.organizations(), cell: (t) => t.organizations?.join(', ') ?? <span class="faint">{words.allOrganizations()}</span> },
  { key: 'created', head: words.created(), sort: (t) => t.createdAt, cell: (t) => <Time at={t.createdAt} /> },
  { key: 'expires', head: words.expires(), sort: (t) => t.expiresAt ?? '9', cell: (t) => (t.expiresAt ? <Time at={t.expiresAt} /> : <span class="faint">{words.never()}</span>) },
  { key: 'id', head: words.id(), minor: true, cell: (t) => <code class="faint">{t.id}</code> },
  { key: 'act', head: common.actions(), cell: (t) => !t.revokedAt && may('tokens:write') && <div class="buttons"><button type="button" class="danger" onClick={() => revoke(t)}>{words.revoke()}</button></div> },
];

package rules

// Remedy gives what is to be done about a failure in both languages. History has
// the English text alone; one that nobody translated, of an older build say,
// stands for both.
func Remedy(english string) Text {
	if chinese, known := chineseRemedies[english]; known {
		return Text{english, chinese}
	}
	return Text{english, english}
}

// chineseRemedies are those of the table of rules, and of failures that no rule
// found. A test looks for remedies in the code that are missing here.
var chineseRemedies = func() map[string]string {
	all := map[string]string{}
	for _, r := range table {
		for _, c := range r.Codes {
			all[c.Remedy.English] = c.Remedy.Chinese
		}
	}
	for _, r := range otherRemedies {
		all[r.English] = r.Chinese
	}
	return all
}()

var otherRemedies = []Text{
	// of documents
	{"Recall a file, or except the document.", "请撤回某个文件的暂不迁移标记，或将该单据登记为例外。"},
	{"Find out at the source which content is right, remove the other, then retry the discovery of the slice and the document.", "请在来源系统核实哪份内容正确，删除另一份，然后重试该切片的发现和该单据。"},
	{"Find out at the source which content is right, remove the other, then retry the document.", "请在来源系统核实哪份内容正确，删除另一份，然后重试该单据。"},
	{"Find out at the source what became of the document; retry it, or except it with the evidence.", "请在来源系统核实该单据的去向，然后重试，或附证据登记为例外。"},
	{"Retry the document: what is lost is fetched from the source again. Where its batch is cancelled, create a new batch of the same scope.", "请重试该单据：丢失的内容会从来源重新获取。若批次已取消，请以相同范围新建批次。"},
	{"Report this with the build's version; a document can be excepted meanwhile.", "请连同软件版本号上报此问题；其间可将单据登记为例外。"},
	{"Report this with the build's version; the document can be excepted meanwhile.", "请连同软件版本号上报此问题；其间可将该单据登记为例外。"},
	// of listings
	{"Retry the discovery of those slices, then that of the slice list.", "请先重试这些切片的发现，再重试清单切片的发现。"},
	{"Have the source's paging mended, then retry the discovery of this slice.", "请修复来源系统的分页，然后重试该切片的发现。"},
	// of the source
	{"It is tried again by itself. If it stays, ask the source's administrators whether the service is up.", "系统会自动重试。若持续出现，请向来源系统管理员确认服务是否正常。"},
	{"It is tried again when the source asked for it. If it stays, lower the source's concurrency and rate.", "系统会按来源要求的时间自动重试。若持续出现，请降低数据源的并发数和请求速率。"},
	{"Check the source's client id and secret, and that the source lets this client in.", "请检查数据源的客户端标识和密钥，并确认来源系统允许该客户端访问。"},
	{"Set this machine's clock and the source's by NTP: signatures carry the time. Then retry. Check the source's client id and secret, and that the source lets this client in.", "请用 NTP 校准本机与来源系统的时钟（签名包含时间），然后重试。请检查数据源的客户端标识和密钥，并确认来源系统允许该客户端访问。"},
	{"Ask the source's administrators what the code means; then retry.", "请向来源系统管理员询问该代码的含义，然后重试。"},
	{"Check that the source's URLs are the service's own and that no proxy or login page answers in its place.", "请检查数据源的网址是否为该服务本身的网址，且没有代理或登录页代为应答。"},
	{"Ask the source's administrators to serve files over https, or to redirect to https.", "请要求来源系统管理员以 https 提供文件，或重定向到 https。"},
	{"If the source is meant to be there, add its network to the source's allowedNetworks.", "若来源确实位于该地址，请将其网段加入数据源的 allowedNetworks。"},
	{"Have the certificate renewed, or add the authority that issued it to the source's certificateAuthorities; the source's check tells which.", "请更新证书，或将签发机构加入数据源的 certificateAuthorities；检查数据源时会显示签发机构。"},
	{"Put the secret where the source's secretRef says.", "请将密钥放到数据源 secretRef 所指的位置。"},
	{"Correct the source's URLs.", "请更正数据源的网址。"},
	{"Wait, or change the source's windows.", "请等待，或修改数据源的时间窗口。"},
	// of the archive and the machine
	{"Check the archive's disk: space, permissions, mount. It is tried again by itself.", "请检查归档存储的磁盘：空间、权限、挂载。系统会自动重试。"},
	{"Check the archive. It is tried again by itself.", "请检查归档存储。系统会自动重试。"},
	{"Mount the archive, or make it reachable. The verification goes on by itself.", "请挂载归档存储或恢复其连通。校验会自动继续。"},
	{"Check the space and permissions of the worker's folder for temporary files (TMPDIR). It is tried again by itself.", "请检查工作进程临时文件目录（TMPDIR）的空间和权限。系统会自动重试。"},
	// of the flagship edition
	{"It is tried again by itself. If it stays, ask the platform's administrators whether the service is up.", "系统会自动重试。若持续出现，请向目标平台管理员确认服务是否正常。"},
	{"Check appId, secretRef, tenantId, accountId and user of the profile's flagshipTarget, and that the platform lets this application in.", "请检查目标配置 flagshipTarget 的 appId、secretRef、tenantId、accountId 和 user，并确认平台允许该应用访问。"},
	{"Check that the url of the profile's flagshipTarget is the platform's own, and that no proxy or login page answers in its place.", "请检查目标配置 flagshipTarget 的 url 是否为平台本身的网址，且没有代理或登录页代为应答。"},
	{"Ask the platform's administrators what the code means, mend the cause, then retry the document.", "请向目标平台管理员询问该代码的含义，排除原因后重试该单据。"},
	{"It is filed again by itself. If it stays, ask the platform's administrators what it keeps of the document.", "系统会自动重新归档到平台。若持续出现，请向目标平台管理员核实平台中该单据的内容。"},
	{"Raise the platform's limit and maxFileBytes of the profile's flagshipTarget, skip the file, or migrate under a profile whose target is the archive.", "请调高平台的限制和目标配置 flagshipTarget 的 maxFileBytes，或将该文件标记为暂不迁移，或改用以归档为目标的配置迁移。"},
	{"If the platform is meant to be there, add its network to the allowedNetworks of the profile's flagshipTarget.", "若平台确实位于该地址，请将其网段加入目标配置 flagshipTarget 的 allowedNetworks。"},
	{"Have the certificate renewed, or add the authority that issued it to the certificateAuthorities of the profile's flagshipTarget.", "请更新证书，或将签发机构加入目标配置 flagshipTarget 的 certificateAuthorities。"},
	{"Put the secret where the secretRef of the profile's flagshipTarget says.", "请将密钥放到目标配置 flagshipTarget 的 secretRef 所指的位置。"},
}

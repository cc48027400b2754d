import { texts } from './texts';

export const lists = texts({
  title: ['Lists', '清单'], upload: ['Upload a list', '上传清单'], name: ['Name', '名称'], kind: ['Entries are', '条目类型'], entries: ['Entries', '条目'], column: ['Column', '列'], duplicates: ['Came again', '重复'], blank: ['Empty cells', '空单元格'], uploaded: ['Uploaded', '上传时间'], by: ['By', '操作人'], digest: ['Digest of the entries', '条目摘要'],
  empty: ['No list yet', '还没有清单'], emptyHelp: ['A list of image or bill numbers limits a batch to what stands in it, or names the documents of a bulk operation.', '影像编号或单据编号清单可限定批次范围，或指定批量操作的单据。'], newBatch: ['New batch of this list', '按此清单新建批次'], id: ['Id', '标识'], number: ['Entry', '条目'], begins: ['Begins with', '编号开头'], noEntries: ['No entry', '没有条目'],
  say: ['One column of a table is read: CSV, or the first sheet of a workbook. Empty cells and entries that came before are left out and counted. A list stays as it is for good, since batches name it.', '读取表格的一列：CSV 或工作簿的第一张表。空单元格与重复条目不计入，另行计数。清单上传后不可更改，批次会引用它。'], file: ['File', '文件'], fileHelp: ['CSV or XLSX, 16 MiB and 500,000 entries at most', 'CSV 或 XLSX，最大 16 MiB、50 万条'], columnHelp: ['By its title or letter. Empty: the one whose title is known, or the only one', '列标题或字母。留空：可识别的列，或唯一的列'],
  made: ['{n} entries were taken', '已读取 {n} 条'], noFile: ['Choose a file', '请选择文件'],
});

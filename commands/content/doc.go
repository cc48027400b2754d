// Package content looks at bytes: what format they are, what digests they
// have, and what the validation rules need to know of them. Declared names and
// types are not trusted.
//
// Format says what content begins as. Inspect reads it as that and fills in
// rules.Found; whether a finding blocks is the rules' to say. Its rules:
//
//   - Content is hostile until it was read. What is found wrong is a fact
//     (Unreadable, Active, Excessive), never an error; an error says that the
//     bytes could not be read. A panic of a parser is a fact too.
//   - Memory and time are bounded whatever a file holds. The bounds, with their
//     reasons, are the constants of bounds.go: pixels, pages, objects, entries,
//     decompressed bytes, ratio, depth, and 60 seconds of a processor as the net under them.
//     As many files are inspected at once as there are processors, so a process
//     with 64 workers takes the memory of a few.
//   - Nothing is decompressed into memory that can be read in passing. PNG and
//     TIFF are decompressed row by row; BMP has its bytes; a JPEG is decoded if
//     that takes at most 64 MiB. XML is read token by token. Of a PDF the places
//     of its objects are held and one object stream at a time, of a ZIP its
//     directory. One inspection takes 100 MiB at most, and 1 MiB as a rule.
//   - R11 asks whether a reader shows every pixel and page. So a scan is never
//     called unreadable because a decoder of Go does not know its kind:
//     arithmetic, lossless and 12-bit JPEG, CCITT group 3 and JPEG in a TIFF,
//     compressed BMP, and PNG or TIFF that decompress to more than a gigabyte
//     are checked by their structure: the bytes of all pixels are there. What
//     is missing behind the last pixel (an end mark, a checksum) is nobody's
//     loss. What viewers repair (a PDF's cross-reference, a stream's length) is
//     repaired here too. What is cut off is unreadable.
//   - A file that is two things at once (a PDF with a ZIP behind it) is judged as
//     what it begins as, is stored under that name, and is opened as nothing else.
//   - Of several densities the lowest counts, across or down, on whatever page;
//     in a JPEG with both JFIF and Exif the lower one. What is below 10 dpi or
//     above 20,000 is not believed. Thumbnails in a TIFF are no pages.
//   - Encrypted is encrypted: a PDF that opens with an empty password, too. What
//     a PDF does when it is opened (scripts, attachments) is not looked for.
//   - HEIC is recognised and not read.
package content

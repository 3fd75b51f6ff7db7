# Writes text files as one C++ file with a raw string each.
# -DOUTPUT=file.cpp -DROOT=folder -DFILES="a,b" (relative to ROOT) -DPREFIX=text before each name
# -DHEADER=header.h -DTYPE=struct with {name, text} -DFUNCTION=name of the function to define
string(REPLACE "," ";" files "${FILES}")
set(texts "")
set(rows "")
set(count 0)
foreach(name ${files})
  file(READ ${ROOT}/${name} content)
  string(APPEND texts "constexpr char kText${count}[] = R\"~dlg~(${content})~dlg~\";\n")
  # The length is given: counting a large text at compile time would exceed the compiler's limit.
  string(APPEND rows "    {\"${PREFIX}${name}\", {kText${count}, sizeof kText${count} - 1}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace dlg {\nnamespace {\n\n${texts}\nconstexpr ${TYPE} kFiles[] = {\n${rows}};\n\n}  // namespace\n\nstd::span<const ${TYPE}> ${FUNCTION}() { return kFiles; }\n\n}  // namespace dlg\n")

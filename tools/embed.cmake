# Writes text files as one C++ file with a raw string each.
# -DOUTPUT=file.cpp -DROOT=folder -DFILES="a;b" (relative to ROOT) -DPREFIX=text before each name
# -DHEADER=header.h -DTYPE=struct with {name, text} -DFUNCTION=name of the function to define
string(REPLACE "," ";" files "${FILES}")
set(text "#include \"${HEADER}\"\n\nnamespace dlg {\nnamespace {\nconstexpr ${TYPE} kFiles[] = {\n")
foreach(name ${files})
  file(READ ${ROOT}/${name} content)
  string(APPEND text "    {\"${PREFIX}${name}\", R\"~dlg~(${content})~dlg~\"},\n")
endforeach()
string(APPEND text "};\n}  // namespace\n\nstd::span<const ${TYPE}> ${FUNCTION}() { return kFiles; }\n\n}  // namespace dlg\n")
file(WRITE ${OUTPUT} "${text}")

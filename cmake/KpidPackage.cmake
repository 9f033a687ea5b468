# What is installed where, the manual pages, and the Debian package that CPack makes of it (./dev package).
include(GNUInstallDirs)

set(KPID_DEBIAN "${PROJECT_SOURCE_DIR}/packaging/debian")
set(KPID_STAGE "${PROJECT_BINARY_DIR}/stage")

# Manual pages: prose in docs/man, options from the programs' own --help. scdoc since its source reads like
# Markdown and the tool is one small program; pandoc would be a hundred times its size.
find_program(KPID_SCDOC scdoc)
find_program(KPID_GZIP gzip)
find_package(Python3 3.11 COMPONENTS Interpreter)
set(KPID_STAGED "")
foreach(page IN ITEMS kpid.1 kpictl.1 kpid.yaml.5)
  set(source "${PROJECT_SOURCE_DIR}/docs/man/${page}.scd")
  set(staged "${KPID_STAGE}/${page}.gz")
  add_custom_command(
    OUTPUT "${staged}"
    COMMAND
      sh -c
      "\"$1\" \"$2\" \"$3\" \"$4\" | \"$5\" | \"$6\" -9n >\"$7\"" make_page "${Python3_EXECUTABLE}"
      "${PROJECT_SOURCE_DIR}/packaging/man_page.py" "${source}" "${PROJECT_BINARY_DIR}" "${KPID_SCDOC}" "${KPID_GZIP}"
      "${staged}"
    DEPENDS "${source}" "${PROJECT_SOURCE_DIR}/packaging/man_page.py" kpid kpictl
    VERBATIM)
  list(APPEND KPID_STAGED "${staged}")
  string(REGEX MATCH "[0-9]$" section "${page}")
  install(FILES "${staged}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()
add_custom_command(
  OUTPUT "${KPID_STAGE}/changelog.gz"
  COMMAND sh -c "\"$1\" -9nc \"$2\" >\"$3\"" pack "${KPID_GZIP}" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
          "${KPID_STAGE}/changelog.gz"
  DEPENDS "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  VERBATIM)
add_custom_target(manuals DEPENDS ${KPID_STAGED} "${KPID_STAGE}/changelog.gz")
file(MAKE_DIRECTORY "${KPID_STAGE}")

set(KPID_DOC "${CMAKE_INSTALL_DATADIR}/doc/kpid")
install(TARGETS kpid kpictl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${KPID_DEBIAN}/kpid.yaml" DESTINATION /etc/kpid)
# Debian 12 keeps units below /lib.
install(FILES "${PROJECT_SOURCE_DIR}/systemd/kpid.service" DESTINATION /lib/systemd/system)
install(FILES "${KPID_DEBIAN}/kpid.sysusers" DESTINATION lib/sysusers.d RENAME kpid.conf)
install(FILES "${KPID_DEBIAN}/copyright" "${KPID_STAGE}/changelog.gz" DESTINATION "${KPID_DOC}")
install(DIRECTORY config/examples DESTINATION "${KPID_DOC}")
# Where the provider of dashboards in there looks for them.
install(DIRECTORY config/grafana DESTINATION "${CMAKE_INSTALL_DATADIR}/kpid")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kpid)
set(CPACK_PACKAGE_VENDOR kpid)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "daemon that watches KPIs and tells people when a target slips")
set(CPACK_PACKAGE_DESCRIPTION
    "kpid takes metric values from wherever they are, keeps them, evaluates the KPIs and alert rules that a team
keeps as YAML, and tells people through webhooks, once and reliably. It speaks the Prometheus API and needs
nothing else installed. kpictl is its command line.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "kpid maintainers <root@localhost>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# What the programs link is found by dpkg-shlibdeps; these are what they and the scripts use beside it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${KPID_DEBIAN}/conffiles;${KPID_DEBIAN}/postinst;${KPID_DEBIAN}/prerm;${KPID_DEBIAN}/postrm")
include(CPack)

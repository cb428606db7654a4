# SPDX-License-Identifier: MIT
# What `make install` and the .deb put where. Manual pages and completions come out of the program
# just built, so they are those of its option table.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

set(GENERATED ${CMAKE_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${GENERATED}/stamp
  COMMAND ${CMAKE_SOURCE_DIR}/packaging/generate.sh $<TARGET_FILE:freshet> ${GENERATED}
  DEPENDS freshet ${CMAKE_SOURCE_DIR}/packaging/generate.sh
  COMMENT "Generating manual pages and completions")
add_custom_target(generated DEPENDS ${GENERATED}/stamp)

configure_file(${CMAKE_SOURCE_DIR}/packaging/freshet.pc.in ${CMAKE_BINARY_DIR}/freshet.pc @ONLY)
install(TARGETS libfreshet LIBRARY DESTINATION lib)
install(FILES ${CMAKE_SOURCE_DIR}/include/freshet/freshet.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/freshet)
install(FILES ${CMAKE_BINARY_DIR}/freshet.pc DESTINATION lib/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/examples/download.c
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(TARGETS freshet RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${GENERATED}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${GENERATED}/completions/freshet.bash RENAME freshet
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${GENERATED}/completions/freshet.zsh RENAME _freshet
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${GENERATED}/completions/freshet.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/desktop/freshet.desktop
        DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/desktop/freshet.svg
        DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Units name the program by its full path, which is known when it is installed.
install(CODE "
  foreach(flavour user system)
    set(FRESHET_PROGRAM \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/freshet\")
    configure_file(${CMAKE_SOURCE_DIR}/packaging/systemd/freshet-\${flavour}.service.in
                   ${CMAKE_BINARY_DIR}/systemd/\${flavour}/freshet.service @ONLY)
    foreach(unit ${CMAKE_BINARY_DIR}/systemd/\${flavour}/freshet.service
                 ${CMAKE_SOURCE_DIR}/packaging/systemd/freshet.socket)
      file(INSTALL \${unit}
           DESTINATION \${CMAKE_INSTALL_PREFIX}/lib/systemd/\${flavour})
    endforeach()
  endforeach()")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME freshet)
set(CPACK_PACKAGE_VENDOR freshet)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "BitTorrent, whole: create, get, seed and track torrents")
set(CPACK_PACKAGE_DESCRIPTION
    "One program that makes, gets, seeds and tracks torrents of BitTorrent v1, v2 and both at once,
and tries swarms out in a deterministic simulator.")
set(CPACK_PACKAGE_CONTACT "freshet developers <freshet@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates) # who vouches for HTTPS trackers
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/deb/triggers ${CMAKE_SOURCE_DIR}/packaging/deb/postinst
    ${CMAKE_SOURCE_DIR}/packaging/deb/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_SOURCE_DIR}/build/package)
include(CPack)

  CreateShortCut "$SMPROGRAMS\Keybearer.lnk" "$INSTDIR\keybearer-desktop.exe"
  WriteRegStr HKLM "${RUN}" "Keybearer" '"$INSTDIR\keybearer-desktop.exe" --minimized'
  ReadRegStr $0 HKLM "Software\WOW6432Node\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}" "pv"
  ${If} $0 == ""
    MessageBox MB_OK|MB_ICONINFORMATION "$(NO_ENGINE)" /SD IDOK
  ${EndIf}

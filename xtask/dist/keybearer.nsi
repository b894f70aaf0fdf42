; The Windows installer: for the whole machine, silent with /S.
; The words between @ are put in by `cargo xtask dist`.
; A 64-bit program itself: it sees files and registry as they are, and runs where nothing runs 32-bit programs.
Target amd64-unicode
SetCompressor /SOLID lzma
ManifestDPIAware true
Name "Keybearer"
OutFile "@OUT@"
RequestExecutionLevel admin
InstallDir "$PROGRAMFILES64\Keybearer"
InstallDirRegKey HKLM "Software\Keybearer" "Place"
ShowInstDetails nevershow
ShowUninstDetails nevershow
BrandingText "Keybearer @VERSION@"
VIProductVersion "@NUMBERS@"
VIAddVersionKey "ProductName" "Keybearer"
VIAddVersionKey "ProductVersion" "@VERSION@"
VIAddVersionKey "FileVersion" "@VERSION@"
VIAddVersionKey "FileDescription" "Keybearer installer"
VIAddVersionKey "LegalCopyright" "Keybearer contributors"
@SIGN_UNINSTALLER@

!include "LogicLib.nsh"
!include "MUI2.nsh"
!include "x64.nsh"
!define MUI_ICON "@ICON@"
!define MUI_UNICON "@ICON@"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Keybearer"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define PATHS "Software\Microsoft\Windows\CurrentVersion\App Paths\keybearer.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"
LangString KEPT ${LANG_ENGLISH} "Your settings and sign-ins stay. Remove them too, now?"
LangString KEPT ${LANG_GERMAN} "Ihre Einstellungen und Anmeldungen bleiben erhalten. Sollen sie jetzt auch entfernt werden?"
LangString NO_ENGINE ${LANG_ENGLISH} "Keybearer's window needs Microsoft Edge WebView2, which this machine does not have. Install it, and the window opens; apps are served without it."
LangString NO_ENGINE ${LANG_GERMAN} "Das Keybearer-Fenster benötigt Microsoft Edge WebView2, das auf diesem Gerät fehlt. Sobald es installiert ist, öffnet sich das Fenster; Apps funktionieren auch ohne."

; A program that runs can be renamed and not replaced; what is left of it goes with the next start of Windows.
!macro MoveAside FILE
  ${If} ${FileExists} "$INSTDIR\${FILE}"
    Delete "$INSTDIR\${FILE}.old"
    Delete "$INSTDIR\${FILE}"
    ${If} ${FileExists} "$INSTDIR\${FILE}"
      Rename "$INSTDIR\${FILE}" "$INSTDIR\${FILE}.old"
      Delete /REBOOTOK "$INSTDIR\${FILE}.old"
    ${EndIf}
  ${EndIf}
!macroend

Function .onInit
  SetRegView 64
  ${IfNot} ${RunningX64}
    SetErrorLevel 2
    Quit
  ${EndIf}
FunctionEnd

Function un.onInit
  SetRegView 64
FunctionEnd

Section "Keybearer"
  SetShellVarContext all
  ${If} ${FileExists} "$INSTDIR\keybearer.exe"
    ; Whoever needs a core next starts the new one.
    nsExec::Exec '"$INSTDIR\keybearer.exe" stop --until-needed'
    Pop $0
  ${EndIf}
  SetOutPath "$INSTDIR"
  !insertmacro MoveAside "keybearer.exe"
  File "keybearer.exe"
@DESKTOP_FILES@
  File "LICENSE-APACHE.txt"
  File "LICENSE-MIT.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "Software\Keybearer" "Place" "$INSTDIR"
  WriteRegStr HKLM "${PATHS}" "" "$INSTDIR\keybearer.exe"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "Keybearer"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "@VERSION@"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\keybearer.exe"
  WriteRegStr HKLM "${UNINSTALL}" "Publisher" "Keybearer contributors"
  WriteRegStr HKLM "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${UNINSTALL}" "EstimatedSize" @SIZE@
  WriteRegDWORD HKLM "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKLM "${UNINSTALL}" "NoRepair" 1
@DESKTOP_REGISTRY@
SectionEnd

Section "Uninstall"
  SetShellVarContext all
  ${IfNot} ${Silent}
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(KEPT)" IDNO keep
    nsExec::Exec '"$INSTDIR\keybearer.exe" remove-my-data --yes'
    Pop $0
    keep:
  ${EndIf}
  nsExec::Exec '"$INSTDIR\keybearer.exe" service uninstall'
  Pop $0
  nsExec::Exec '"$INSTDIR\keybearer.exe" stop --until-needed'
  Pop $0
  !insertmacro MoveAside "keybearer.exe"
  !insertmacro MoveAside "keybearer-desktop.exe"
  !insertmacro MoveAside "WebView2Loader.dll"
  Delete "$INSTDIR\LICENSE-APACHE.txt"
  Delete "$INSTDIR\LICENSE-MIT.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Keybearer.lnk"
  DeleteRegValue HKLM "${RUN}" "Keybearer"
  DeleteRegKey HKLM "${PATHS}"
  DeleteRegKey HKLM "${UNINSTALL}"
  DeleteRegKey HKLM "Software\Keybearer"
SectionEnd

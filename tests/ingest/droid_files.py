"""DROID's two files in small, and containers that they know."""

from __future__ import annotations

import io
import zipfile

CONTAINERS = """<ContainerSignatureMapping signatureVersion="7"><ContainerSignatures>
  <ContainerSignature Id="1" ContainerType="ZIP"><Files>
    <File><Path>mimetype</Path><BinarySignatures><InternalSignatureCollection><InternalSignature ID="1">
      <ByteSequence Reference="BOFoffset"><SubSequence SubSeqMinOffset="0" SubSeqMaxOffset="2">
        <Sequence>'book'</Sequence></SubSequence></ByteSequence>
      </InternalSignature></InternalSignatureCollection></BinarySignatures></File>
    <File><Path>content.xml</Path></File></Files></ContainerSignature>
  <ContainerSignature Id="2" ContainerType="ZIP"><Files><File><Path>content.xml</Path></File></Files>
  </ContainerSignature>
  <ContainerSignature Id="3" ContainerType="TAR"><Files><File><Path>a</Path></File></Files></ContainerSignature>
  <ContainerSignature Id="4" ContainerType="ZIP"><Files><File><Path>a</Path></File></Files></ContainerSignature>
</ContainerSignatures><FileFormatMappings>
  <FileFormatMapping signatureId="1" Puid="fmt/2"/><FileFormatMapping signatureId="2" Puid="fmt/3"/>
  <FileFormatMapping signatureId="3" Puid="fmt/4"/><FileFormatMapping signatureId="4" Puid="fmt/404"/>
</FileFormatMappings><TriggerPuids><TriggerPuid ContainerType="ZIP" Puid="fmt/1"/></TriggerPuids>
</ContainerSignatureMapping>"""

SEQUENCES = """<InternalSignature ID="1"><ByteSequence Reference="BOFoffset">
    <SubSequence SubSeqMinOffset="0" SubSeqMaxOffset="0"><Sequence>504B0304</Sequence></SubSequence></ByteSequence>
  </InternalSignature>
  <InternalSignature ID="2"><ByteSequence Reference="BOFoffset">
    <SubSequence SubSeqMinOffset="1" SubSeqMaxOffset="2"><Sequence>4141</Sequence>
      <LeftFragment Position="1" MinOffset="0" MaxOffset="0">31</LeftFragment>
      <LeftFragment Position="2" MinOffset="1" MaxOffset="1">32</LeftFragment>
      <RightFragment Position="1" MinOffset="0" MaxOffset="1">33</RightFragment>
      <RightFragment Position="1" MinOffset="2" MaxOffset="2">34</RightFragment></SubSequence>
    <SubSequence SubSeqMinOffset="2"><Sequence>4242</Sequence></SubSequence></ByteSequence>
    <ByteSequence Reference="EOFoffset">
    <SubSequence SubSeqMinOffset="0"><Sequence>58</Sequence></SubSequence>
    <SubSequence SubSeqMinOffset="1" SubSeqMaxOffset="2"><Sequence>59</Sequence></SubSequence></ByteSequence>
  </InternalSignature>
  <InternalSignature ID="3"><ByteSequence>
    <SubSequence SubSeqMinOffset="4"><Sequence>'anywhere'</Sequence></SubSequence></ByteSequence></InternalSignature>
  <InternalSignature ID="4"><ByteSequence Reference="IndirectBOFoffset">
    <SubSequence><Sequence>00</Sequence></SubSequence></ByteSequence></InternalSignature>"""

FORMATS = """<FileFormat ID="1" PUID="fmt/1" Name="ZIP" MIMEType="application/zip, application/x-zip">
    <InternalSignatureID>1</InternalSignatureID><Extension>ZIP</Extension></FileFormat>
  <FileFormat ID="2" PUID="fmt/2" Name="Book"><HasPriorityOverFileFormatID>3</HasPriorityOverFileFormatID></FileFormat>
  <FileFormat ID="3" PUID="fmt/3" Name="Document"/>
  <FileFormat ID="4" PUID="fmt/4" Name="Odd"><InternalSignatureID>2</InternalSignatureID>
    <InternalSignatureID>4</InternalSignatureID><InternalSignatureID>5</InternalSignatureID></FileFormat>
  <FileFormat ID="5" PUID="fmt/5" Name="Anywhere"><InternalSignatureID>3</InternalSignatureID></FileFormat>"""


def signature_file(formats: str = FORMATS, sequences: str = SEQUENCES) -> bytes:
    return f"""<FFSignatureFile Version="9" xmlns="http://www.nationalarchives.gov.uk/pronom/SignatureFile">
        <InternalSignatureCollection>{sequences}</InternalSignatureCollection>
        <FileFormatCollection>{formats}</FileFormatCollection></FFSignatureFile>""".encode()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, content in members.items():
            package.writestr(name.replace("_", "."), content)
    return file.getvalue()
